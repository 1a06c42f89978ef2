"""What SES tells after it took a message: from the queue of events into ours.

poller    a thread per queue of SQS: receive, read (``record``), hand over; delete what is done
inbox     between the threads and the main one, with a bound
joining   the main thread's part: which forward-path, once each, and what follows from it
"""
