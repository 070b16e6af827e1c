/**
 * The responses of the browser API, as far as the dialog reads them.
 *
 * @typedef {Record<string, string>} Address
 * @typedef {Record<string, string>} Customer
 * @typedef {{identifier: string, identifier_label: string, value: string, value_label: string}} Attribute
 * @typedef {{reference?: string, name: string, type?: string, quantity: number, unit_price: number, total_amount: number,
 *   image_url?: string, product_attributes?: Attribute[]}} Line
 * @typedef {{reference?: string, group_identifier: string, name: string, unit_price: number,
 *   product_attributes?: Attribute[]}} Item
 * @typedef {{carrier?: string, timeslot?: {start?: string, end?: string},
 *   location?: {name?: string, address?: Address}}} DeliveryDetails
 * @typedef {{id: string, name: string, description?: string, promo?: string, price: number, shipping_method?: string,
 *   delivery_details?: DeliveryDetails}} ShippingOption
 * @typedef {{id: string, text: string}} Checkbox
 * @typedef {{name: string, description: string}} ShopperName
 * @typedef {ShopperName & {billing_address: Address, customer: Customer}} Shopper
 * @typedef {{redirect_url?: string | null, consumer_message?: string | null, deny_code?: string | null,
 *   deny_message?: string | null, fraud_status?: string | null, order_id?: string | null}} Outcome
 * @typedef {"started" | "authorized" | "placed" | "denied" | "declined" | "timed_out" | "expired" | "failed"} State
 *
 * @typedef {Object} View
 * @property {string} session_id
 * @property {string} button_key
 * @property {number} version grows with each change
 * @property {State} state
 * @property {boolean} [identified]
 * @property {string} locale
 * @property {string} purchase_country
 * @property {string} purchase_currency
 * @property {string} [merchant_name]
 * @property {string} [merchant_reference1]
 * @property {string} [terms_url]
 * @property {Line[]} order_lines
 * @property {Item[]} [items]
 * @property {number | null} [chosen_item] the position of the item that is sold
 * @property {number | null} [chosen_line] the position of its order line
 * @property {ShippingOption[]} [shipping_options]
 * @property {ShippingOption | null} [selected_shipping_option]
 * @property {Address} [billing_address]
 * @property {Address} [shipping_address]
 * @property {Customer} [customer]
 * @property {Record<string, boolean>} [options]
 * @property {Checkbox[]} [additional_checkboxes]
 * @property {Record<string, boolean>} [merchant_requested]
 * @property {{order_amount: number, order_tax_amount: number}} totals
 * @property {{billing: string[], shipping: string[], rules?: Record<string, {currency: string}>}} countries that the addresses may be in
 * @property {Outcome} [outcome]
 * @property {import("./draft.js").Draft | null} [draft] the form as the shopper left it in an earlier dialog
 * @property {ShopperName[]} [shoppers]
 *
 * @typedef {{path: string, expected: string, rule?: string}} Problem
 * @typedef {{dialling: string, postal_code: string, region_needed: boolean,
 *   titles: Record<string, string[]>}} Country
 */

/**
 * What the functions of a step need: the texts, the data, and what the shopper can do.
 *
 * @typedef {Object} StepContext
 * @property {import("./texts.js").Translate} t
 * @property {View} view
 * @property {import("./session.js").Session} session
 * @property {import("./draft.js").Draft} draft
 * @property {import("./draft.js").FieldErrors} errors of the form
 * @property {(errors: import("./draft.js").FieldErrors) => void} showErrors
 * @property {string} testShopper the name of the selected test shopper, "" for the first one
 * @property {(name: string) => void} selectTestShopper
 * @property {(draft: import("./draft.js").Draft) => void} redraft replace the draft and render the form again
 * @property {boolean} isSlow whether the merchant's decision takes long
 * @property {() => void} showReview
 * @property {() => void} edit go back to the form
 * @property {(command: () => Promise<unknown>) => Promise<void>} perform run a command, and show the error if the server refuses it
 * @property {(text: string) => void} announce
 * @property {() => void} pay
 * @property {boolean} isEmbedded whether the dialog is in a frame of a shop's page
 * @property {() => void} close
 * @property {(url: string) => void} leave
 */

export {};
