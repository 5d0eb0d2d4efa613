"""SceneEvaluator: the int8 model on labelled scenes, step by step and word by word."""
