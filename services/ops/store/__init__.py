"""The statements of ops, one function each: the journal (`journal`), what the ledger is made of (`ledger`), what people
look up (`finding`), the desk of parked facts (`desk`) and what is wrong (`alarms`).
"""
