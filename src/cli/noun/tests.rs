//! The nouns against a scripted desk.
