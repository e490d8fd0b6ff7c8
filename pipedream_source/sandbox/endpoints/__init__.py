"""The endpoints under `/v1`, by the object they are about; each is a function of site and call."""
