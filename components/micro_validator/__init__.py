"""MicroValidator: does the int8 model fit the device and compute the same there?"""
