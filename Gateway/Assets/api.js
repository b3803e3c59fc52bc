// The page at /api: what /openapi.json says, to be tried.
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", presets: [SwaggerUIBundle.presets.apis], deepLinking: true, tryItOutEnabled: true, displayRequestDuration: true, validatorUrl: null, defaultModelsExpandDepth: 0 });
