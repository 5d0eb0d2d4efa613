"""Training: objectives, teachers, sessions, checkpoints, hard negatives, replay and tuning."""
