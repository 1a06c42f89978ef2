"""What a script does without sesmail: boto3, one call. The argument is the endpoint."""

import sys

import boto3

client = boto3.client("sesv2", endpoint_url=sys.argv[1])
client.send_email(Content={"Raw": {"Data": sys.stdin.buffer.read()}})
