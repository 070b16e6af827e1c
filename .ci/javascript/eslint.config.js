import js from "@eslint/js";

export default [
  js.configs.recommended,
  {
    rules: {
      "no-undef": "off", // the type checker knows the names of a browser
      "no-unused-vars": ["error", { vars: "local" }], // the type checker reports those of modules; other scripts use a script's names
      "no-empty": ["error", { allowEmptyCatch: false }],
      "no-implied-eval": "error",
      "no-eval": "error",
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: "error",
      complexity: ["error", 12],
      "max-lines": ["error", 350],
      "max-lines-per-function": ["error", { max: 40, IIFEs: false }],
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: "What merchants send must stay text: use textContent." },
        { property: "outerHTML", message: "What merchants send must stay text: use textContent." },
        { property: "insertAdjacentHTML", message: "What merchants send must stay text: use textContent." },
      ],
    },
  },
  // the browsers of shops are older; pages load lib.js with one script element, so it is one file
  { files: ["**/lib.js"], languageOptions: { ecmaVersion: 2019 }, rules: { "max-lines": ["error", 650] } },
  { files: ["**/lib.js", "**/arrival.js", "**/demo/static/*.js"], languageOptions: { sourceType: "script" } },
];
