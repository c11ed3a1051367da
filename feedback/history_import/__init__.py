"""Import of listening histories exported from other services. source -> formats -> matching -> writing -> job: each
module uses only those before it.
"""
