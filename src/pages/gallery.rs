//! Every page in every state and language: the test that renders them all.
