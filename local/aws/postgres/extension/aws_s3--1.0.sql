CREATE SCHEMA aws_commons;
CREATE SCHEMA aws_s3;
CREATE TYPE aws_commons._s3_uri_1 AS (bucket text, file_path text, region text);

CREATE FUNCTION aws_commons.create_s3_uri(s3_bucket text, s3_key text, aws_region text)
RETURNS aws_commons._s3_uri_1 IMMUTABLE LANGUAGE sql
AS $$ SELECT ROW(s3_bucket, s3_key, aws_region)::aws_commons._s3_uri_1 $$;

-- The object lies where the embedded AWS has put it, which read it as the role that the cluster is associated with.
CREATE FUNCTION aws_s3.table_import_from_s3(
    table_name text, column_list text, options text, s3_info aws_commons._s3_uri_1)
RETURNS text SECURITY DEFINER LANGUAGE plpgsql
AS $$
DECLARE n bigint;
BEGIN
    EXECUTE format('COPY %s %s FROM %L %s', table_name,
        CASE column_list WHEN '' THEN '' ELSE '(' || column_list || ')' END,
        format('%s/objects/%s/%s', current_setting('unix_socket_directories'), s3_info.bucket, s3_info.file_path),
        options);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN format('%s rows imported into relation "%s" from file %s', n, table_name, s3_info.file_path);
END $$;

GRANT USAGE ON SCHEMA aws_commons, aws_s3 TO PUBLIC;
