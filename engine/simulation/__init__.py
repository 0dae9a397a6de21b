"""A seeded world around the engine: clients, makers, bank, clearing house, custodian, one day."""
