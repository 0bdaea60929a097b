"""Mistakes put into a script: do its cases notice?"""
