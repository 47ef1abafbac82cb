# ext/dcmveil/_recorder.pyx has C functions only.
