-- Run once, when the cluster is made: for each service a role and two databases, its data and its audit log. Neither
-- role can connect to the other's. The services make their tables themselves.
\set ON_ERROR_STOP on
\set credential_password `cat /run/secrets/credential_database_password`
\set crm_password `cat /run/secrets/crm_database_password`

SELECT :'credential_password' = '' OR :'crm_password' = '' AS no_password \gset
\if :no_password
\echo 'the passwords could not be read: nothing was made'
SELECT 'no password' ::integer;
\endif

CREATE ROLE credential LOGIN PASSWORD :'credential_password';
CREATE ROLE crm LOGIN PASSWORD :'crm_password';

CREATE DATABASE credential OWNER credential;
CREATE DATABASE credential_audit OWNER credential;
CREATE DATABASE crm OWNER crm;
CREATE DATABASE crm_audit OWNER crm;

REVOKE CONNECT, TEMPORARY ON DATABASE credential, credential_audit, crm, crm_audit, postgres, template1 FROM PUBLIC;
