-- name: presets
-- As one JSON array. The data classification of a preset is a default value like the others.
select coalesce(jsonb_agg(jsonb_build_object(
    'name', name, 'organization_id', organization_id, 'action', action, 'required_fields', required_fields,
    'validation', validation,
    'default_values', jsonb_strip_nulls(jsonb_build_object('dataClassification', data_classification)) || default_values
)), '[]')::text from audit_preset
