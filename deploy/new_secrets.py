"""Prints new passwords for a Prefect server of one's own, as lines of an environment file.

python3 deploy/new_secrets.py > deploy/.env && chmod 600 deploy/.env
"""

import secrets

for name in ("POSTGRES_PASSWORD", "REDIS_PASSWORD"):
    print(f"{name}={secrets.token_hex(24)}")
print(f"PREFECT_AUTH=pleo-export:{secrets.token_hex(24)}")
