"""Answers about PDFs and text files, with the pages where they stand."""
