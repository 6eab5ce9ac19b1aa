"""Training: one loop, recipes as data, the Keras networks, and their way into a bundle.

Runs as a process of its own, `python -m pixelmine.train`: one JSON job on stdin, events as JSON
Lines on stdout. Of this package only `recipe` may be imported elsewhere: it loads no framework.
"""
