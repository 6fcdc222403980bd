"""The platform bridge: a certificate is posted to the platform; the arrival time comes back as 発行日時."""
