"""`python -m pixelmine`."""

from pixelmine.cli.main import main

main()
