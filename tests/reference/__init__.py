"""An independent reference for the Basic Profile (PS3.15 Annex E): it judges dcmveil, sharing no code."""
