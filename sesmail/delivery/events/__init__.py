"""What SES tells after it took a message: from the queue of events into ours.

poller         a thread per queue of SQS: receive, read (``record``), hand over, delete what is done
inbox          between the threads and the main one
joining        the main thread's part: which forward-path, once each
consequences   what follows: a delivery, a DSN, a complaint, an address that is suppressed
"""
