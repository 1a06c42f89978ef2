"""What is answered on the socket ``control``, or by sesmailctl itself where no daemon runs.

``frame`` says what a request and an answer are, ``registry`` which there are.
"""
