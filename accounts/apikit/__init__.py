"""What the API of every app is built with: who calls, how often, how errors read, how long lists are paged."""
