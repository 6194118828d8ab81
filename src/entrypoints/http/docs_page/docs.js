"use strict";

// Swagger UI sets sanitized HTML; under Trusted Types that has to go through a policy of ours.
if (window.trustedTypes) {
  window.trustedTypes.createPolicy("default", {
    createHTML: (html) => html,
  });
}

const description = new URL("../../openapi.json", document.currentScript.src).href;

window.addEventListener("load", () => {
  window.ui = window.SwaggerUIBundle({
    url: description,
    dom_id: "#docs",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    persistAuthorization: false,
    validatorUrl: null,
    tryItOutEnabled: false,
  });
});
