"""Who may do what: access to apps, passports, end users, accounts, logins, mailed codes, rate limits."""
