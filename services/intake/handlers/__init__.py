"""What the single and the batch edge share: requests are taken in, many in one transaction."""
