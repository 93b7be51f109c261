"""What "good" means when a policy is trained: every reward as a small function with its range and its weak spot."""
