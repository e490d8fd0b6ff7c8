"""The endpoints under `/v1`, by the object they are about; may use `world` and below."""
