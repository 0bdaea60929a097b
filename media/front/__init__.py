"""The SIP front: Kamailio between the network and the workers, as `architecture.md` has it."""
