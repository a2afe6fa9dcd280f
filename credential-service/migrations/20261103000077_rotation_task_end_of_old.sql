-- The tasks that were left open with rotations which are over ended with these.
UPDATE rotation_task SET next_tell_time = NULL,
    end_time = (SELECT COALESCE(rotation.end_time, rotation.switch_time) FROM rotation
        WHERE rotation.rotation_id = rotation_task.rotation_id),
    ended_as = (SELECT CASE rotation.standing WHEN 'closed' THEN 'dropped' ELSE 'superseded' END FROM rotation
        WHERE rotation.rotation_id = rotation_task.rotation_id),
    ended_by = (SELECT rotation.ended_by FROM rotation WHERE rotation.rotation_id = rotation_task.rotation_id),
    end_reason = (SELECT rotation.end_reason FROM rotation WHERE rotation.rotation_id = rotation_task.rotation_id)
WHERE acknowledge_time IS NULL AND EXISTS (SELECT 1 FROM rotation
    WHERE rotation.rotation_id = rotation_task.rotation_id AND (rotation.standing IN ('superseded', 'closed')
        OR EXISTS (SELECT 1 FROM rotation AS later WHERE later.credential_id = rotation.credential_id
            AND later.credential_version > rotation.credential_version)));
