"""Training of the embedded skills: small adapters of the one packaged encoder."""
