IMAGE_PATH="path/to/image.jpg"
BASE64_IMAGE=$(base64 -w 0 "$IMAGE_PATH")

curl -s -X POST \
  "https://generativelanguage.googleapis.com/v1beta/models/gemini-3-flash-preview:generateContent" \
  -H "x-goog-api-key: $GEMINI_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "contents": [{
      "parts": [
        {"text": "Describe this image:"},
        {"inline_data": {"mime_type": "image/jpeg", "data": "'"$BASE64_IMAGE"'"}}
      ]
    }],
    "generation_config": {
      "media_resolution": "MEDIA_RESOLUTION_HIGH"
    }
  }'
