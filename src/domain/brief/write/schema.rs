//! The JSON Schema of a brief, for editors and for agents that draft one.
//!
//! Decides how facets, which are keys beside `assets` and `rounds`, are described: each by its name. Rules that a schema
//! cannot say (rounds of one length, families of proxies) are `read`'s alone.

use serde_json::{Map, Value, json};

use super::super::Brief;
use crate::variant::Facet;

/// Returns the JSON Schema of a brief; TOML and JSON forms have the same fields.
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(Brief).to_value();
    let facets: Map<String, Value> =
        Facet::ALL.iter().map(|facet| (facet.as_str().to_owned(), json!({"type": "string", "minLength": 1}))).collect();
    for name in ["VariantText", "RoundText"] {
        let Some(object) = schema.pointer_mut(&format!("/$defs/{name}")).and_then(Value::as_object_mut) else {
            continue;
        };
        let own = object.entry("properties").or_insert_with(|| json!({}));
        if let Some(own) = own.as_object_mut() {
            own.extend(facets.clone());
        }
        object.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::brief::{TEMPLATES, read};

    /// Walks a value along the schema and returns the keys that the schema does not know.
    fn strange(value: &Value, schema: &Value, root: &Value, path: &str, out: &mut Vec<String>) {
        let target = |s: &Value| -> Value {
            match s.get("$ref").and_then(Value::as_str) {
                Some(link) => root.pointer(link.trim_start_matches('#')).cloned().unwrap(),
                None => s.clone(),
            }
        };
        let schema = target(schema);
        match value {
            Value::Object(map) => {
                let Some(known) = schema.get("properties").and_then(Value::as_object) else { return };
                for (key, inner) in map {
                    match known.get(key) {
                        Some(next) => strange(inner, next, root, &format!("{path}.{key}"), out),
                        None => out.push(format!("{path}.{key}")),
                    }
                }
            }
            Value::Array(items) => {
                if let Some(next) = schema.get("items") {
                    items.iter().for_each(|item| strange(item, next, root, path, out));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn the_schema_knows_every_field_of_every_template_and_no_other() {
        let schema = json_schema();
        for template in TEMPLATES {
            let mut out = Vec::new();
            let mut value = serde_json::to_value(read(template.text).unwrap()).unwrap();
            strange(&value, &schema, &schema, "", &mut out);
            assert!(out.is_empty(), "{}: {out:?}", template.name);
            value["control_variant"]["hok"] = json!("x");
            strange(&value, &schema, &schema, "", &mut out);
            assert_eq!(out, [".control_variant.hok"]);
        }
        let required = schema["required"].as_array().unwrap();
        assert_eq!(required.len(), 15, "{required:?}");
        assert_eq!(schema["$defs"]["VariantText"]["additionalProperties"], json!(false));
    }

    #[test]
    fn a_brief_goes_through_json_unchanged() {
        for template in TEMPLATES {
            let brief = read(template.text).unwrap();
            let text = serde_json::to_string(&brief).unwrap();
            assert_eq!(serde_json::from_str::<Brief>(&text).unwrap(), brief, "{}", template.name);
        }
    }
}
