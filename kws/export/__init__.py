"""From a Keras model to the int8 file: conversion and graph rewriting."""
