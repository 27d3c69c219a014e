"""Work of many requests: who waits for whom, what is done once, what stays off the event loop.

It knows nothing of HTTP, of media, or of the pipeline.
"""
