"""Layers as PyTorch, Keras, JAX and ONNX write them."""
