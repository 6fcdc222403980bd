"""`python -m deploy.local`: run the whole system on this machine, show it, test it."""

from deploy.local.commands import main

main()
