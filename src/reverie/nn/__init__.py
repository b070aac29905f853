"""Network blocks shared by policies, video worlds and judges. They know tensors, not robots."""
