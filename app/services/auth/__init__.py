"""Who may do what: app access, passports, accounts, logins, mailed codes, rate limits."""
