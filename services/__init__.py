"""The five services. They never import each other; they meet only on the wire."""
