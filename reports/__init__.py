"""Tables, figures and pages drawn from run folders; needs no TensorFlow."""
