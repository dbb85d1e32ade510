"""The conformance runner: starts a provider, tells an installed suite about it, and drives the plans.

Reading order: main, plans, provider, clients, member, browser, suite, drive, results.
"""
