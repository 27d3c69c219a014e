module twinlens.test/sdk

go 1.23

require google.golang.org/genai v1.69.0
