"""The control plane under `/_sandbox`; may use `world` and below."""
