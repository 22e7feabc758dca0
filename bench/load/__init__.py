"""Load over HTTP: a connection that costs little, requests made beforehand, an open and a closed loop."""
