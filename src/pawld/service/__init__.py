"""The service managers that run the agent."""
