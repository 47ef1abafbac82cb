# ext/dcmveil/_preface.pyx has C functions only.
