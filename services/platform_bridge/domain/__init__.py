"""The rules of the bridge: what a certificate on its way is, and what each answer of the platform means for it."""
