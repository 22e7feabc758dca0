"""The HTTP edge of intake: who knows one path finds its module by the path's subject."""
