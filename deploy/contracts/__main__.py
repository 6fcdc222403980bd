"""Write the published contracts."""

from deploy.contracts.folder import CONTRACTS, write

if __name__ == "__main__":
    for line in write(CONTRACTS):
        print(line)
