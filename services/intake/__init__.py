"""An application arrives, is judged, becomes ours or is refused with every reason at once."""
