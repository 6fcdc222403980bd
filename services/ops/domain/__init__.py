"""The rules of ops: what comes over the wire (`wire`), the chain of the journal (`journal`), words to search by
(`search`), the lines of the ledger (`ledger`), and the desk of parked facts (`desk`).
"""
