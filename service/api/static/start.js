"use strict";
// Relative, so that the page also works behind a proxy's path prefix.
SwaggerUIBundle({ url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
